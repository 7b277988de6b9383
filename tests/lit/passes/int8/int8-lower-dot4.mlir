// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:skylake-avx512"}' --split-input-file --verify-diagnostics | filecheck %s
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:cascadelake"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=VNNI

// CHECK-LABEL: func.func @four_products_of_bytes_in_32_bits(
// CHECK-NEXT:    %[[A:.*]] = vec.bitcast %x : vector<16x4xi8> to vector<16xi32>
// CHECK-NEXT:    %[[B:.*]] = vec.bitcast %y : vector<16x4xi8> to vector<16xi32>
// CHECK-NEXT:    %[[LOW:.*]] = arith.constant dense<255> : vector<16xi32>
// CHECK-NEXT:    %[[TOP:.*]] = arith.constant dense<24> : vector<16xi32>
// CHECK-NEXT:    %[[N:.*]] = arith.constant dense<24> : vector<16xi32>
// CHECK-NEXT:    %[[B0:.*]] = arith.shli %[[B]], %[[N]] : vector<16xi32>
// CHECK-NEXT:    %[[X0:.*]] = arith.andi %[[A]], %[[LOW]] : vector<16xi32>
// CHECK-NEXT:    %[[Y0:.*]] = arith.shrsi %[[B0]], %[[TOP]] : vector<16xi32>
// CHECK-NEXT:    %[[P0:.*]] = arith.muli %[[X0]], %[[Y0]] : vector<16xi32>
// CHECK-NEXT:    %[[S0:.*]] = arith.addi %acc, %[[P0]] : vector<16xi32>
// CHECK-COUNT-2: arith.muli
// CHECK:         %[[P3:.*]] = arith.muli
// CHECK-NEXT:    %[[R:.*]] = arith.addi %{{.*}}, %[[P3]] : vector<16xi32>
// CHECK-NEXT:    func.return %[[R]] : vector<16xi32>

// VNNI-LABEL: func.func @four_products_of_bytes_in_32_bits(
// VNNI-NEXT:    int8.dot4 %acc, %x, %y
func.func @four_products_of_bytes_in_32_bits(%acc: vector<16xi32>, %x: vector<16x4xi8>, %y: vector<16x4xi8>) -> vector<16xi32> {
  %r = int8.dot4 %acc, %x, %y : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return %r : vector<16xi32>
}

// -----

// CHECK: int8-lower-dot4: needs vectors, got i32; run it after te-to-vec
func.func @one_group(%acc: i32, %x: vector<4xi8>) {
  %r = int8.dot4 %acc, %x, %x : i32, vector<4xi8>, vector<4xi8>
  func.return
}
