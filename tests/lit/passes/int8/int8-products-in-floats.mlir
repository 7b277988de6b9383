// RUN: lamina-opt %s -p 'int8-products-in-floats{least=2}' | filecheck %s

// CHECK-LABEL: func.func @bytes_are_converted_before_lanes_are_splat(
// CHECK-NEXT:    %[[W:.*]] = vec.convert %w : vector<4xi8> to vector<4xf32>
// CHECK-NEXT:    %[[X:.*]] = vec.convert unsigned %x : vector<4xi8> to vector<4xf32>
// CHECK-NEXT:    %[[A:.*]] = vec.splat_lane %[[X]][0] : vector<4xf32>
// CHECK-NEXT:    %[[B:.*]] = vec.splat_lane %[[X]][1] : vector<4xf32>
// CHECK-NEXT:    %[[M:.*]] = arith.constant dense<0x4B400000> : vector<4xf32>
// CHECK-NEXT:    %[[P:.*]] = math.fma %[[A]], %[[W]], %[[M]] : vector<4xf32>
// CHECK-NEXT:    %[[Q:.*]] = math.fma %[[B]], %[[W]], %[[P]] : vector<4xf32>
// CHECK-NEXT:    %[[S:.*]] = vec.bitcast %[[Q]] : vector<4xf32> to vector<4xi32>
// CHECK-NEXT:    %[[O:.*]] = arith.constant dense<1262485504> : vector<4xi32>
// CHECK-NEXT:    %[[I:.*]] = arith.subi %[[S]], %[[O]] : vector<4xi32>
// CHECK-NEXT:    %[[R:.*]] = arith.addi %acc, %[[I]] : vector<4xi32>
// CHECK-NEXT:    func.return %[[R]]
func.func @bytes_are_converted_before_lanes_are_splat(%x: vector<4xi8>, %w: vector<4xi8>, %acc: vector<4xi32>) -> vector<4xi32> {
  %a = vec.splat_lane %x[0] : vector<4xi8>
  %b = vec.splat_lane %x[1] : vector<4xi8>
  %ai = vec.convert unsigned %a : vector<4xi8> to vector<4xi32>
  %bi = vec.convert unsigned %b : vector<4xi8> to vector<4xi32>
  %wi = vec.convert %w : vector<4xi8> to vector<4xi32>
  %p = arith.muli %ai, %wi : vector<4xi32>
  %s = arith.addi %acc, %p : vector<4xi32>
  %q = arith.muli %bi, %wi : vector<4xi32>
  %r = arith.addi %s, %q : vector<4xi32>
  func.return %r : vector<4xi32>
}

// What somebody reads in between is an integer there; one product alone stays what it is.
// CHECK-LABEL: func.func @sum_that_is_read(
// CHECK:         arith.muli
// CHECK:         arith.muli
// CHECK-NOT:     f32
func.func @sum_that_is_read(%x: vector<4xi8>, %w: vector<4xi8>, %acc: vector<4xi32>) -> (vector<4xi32>, vector<4xi32>) {
  %xi = vec.convert %x : vector<4xi8> to vector<4xi32>
  %wi = vec.convert %w : vector<4xi8> to vector<4xi32>
  %p = arith.muli %xi, %wi : vector<4xi32>
  %s = arith.addi %acc, %p : vector<4xi32>
  %q = arith.muli %wi, %wi : vector<4xi32>
  %r = arith.addi %s, %q : vector<4xi32>
  func.return %s, %r : vector<4xi32>, vector<4xi32>
}

// Products of 16 bits may be anything.
// CHECK-LABEL: func.func @wider_numbers(
// CHECK-NOT:     f32
func.func @wider_numbers(%x: vector<4xi16>, %acc: vector<4xi32>) -> vector<4xi32> {
  %xi = vec.convert %x : vector<4xi16> to vector<4xi32>
  %p = arith.muli %xi, %xi : vector<4xi32>
  %s = arith.addi %acc, %p : vector<4xi32>
  %q = arith.muli %xi, %xi : vector<4xi32>
  %r = arith.addi %s, %q : vector<4xi32>
  func.return %r : vector<4xi32>
}
