// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:skylake-avx512"}' --split-input-file --verify-diagnostics | filecheck %s
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:skylake-avx512" form=generic}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=GENERIC
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:skylake-avx512" form=madd16}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=MADD16
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:cascadelake" form=maddubs}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=MADDUBS
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:cascadelake"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=VNNI
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:cascadelake" form=avxvnni}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=VEX
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:sandybridge"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=XMM
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:haswell" form=checked}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=CHECKED
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="opencl:portable"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=CL
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:haswell" form=vnni}' --verify-diagnostics | filecheck %s --check-prefix=LACKS
// RUN: lamina-opt %s -p 'int8-lower-dot4{target="cpu:x86-64" form=maddubs}' --verify-diagnostics | filecheck %s --check-prefix=SSE2
// RUN: lamina-opt %s -p int8-lower-dot4{form=vpdpbusd} --verify-diagnostics | filecheck %s --check-prefix=UNKNOWN

// LACKS: int8-lower-dot4: cpu:haswell lacks the instructions of form=vnni; it has maddubs, checked, madd16, generic
// SSE2: int8-lower-dot4: cpu:x86-64 lacks the instructions of form=maddubs; it has madd16, generic
// UNKNOWN: int8-lower-dot4: form is one of auto, vnni, avxvnni, maddubs, checked, madd16, generic, got 'vpdpbusd'

// CHECK-LABEL: func.func @even_bytes_and_odd_ones(
// CHECK-NEXT:    %[[EIGHT:.*]] = arith.constant dense<8> : vector<16x2xi16>
// CHECK-NEXT:    %[[LOW:.*]] = arith.constant dense<255> : vector<16x2xi16>
// CHECK-NEXT:    %[[X:.*]] = vec.bitcast %x : vector<16x4xi8> to vector<16x2xi16>
// CHECK-NEXT:    %[[X0:.*]] = arith.andi %[[X]], %[[LOW]] : vector<16x2xi16>
// CHECK-NEXT:    %[[X1:.*]] = arith.shrui %[[X]], %[[EIGHT]] : vector<16x2xi16>
// CHECK-NEXT:    %[[Y:.*]] = vec.bitcast %y : vector<16x4xi8> to vector<16x2xi16>
// CHECK-NEXT:    %[[TOP:.*]] = arith.shli %[[Y]], %[[EIGHT]] : vector<16x2xi16>
// CHECK-NEXT:    %[[Y1:.*]] = arith.shrsi %[[Y]], %[[EIGHT]] : vector<16x2xi16>
// CHECK-NEXT:    %[[Y0:.*]] = arith.shrsi %[[TOP]], %[[EIGHT]] : vector<16x2xi16>
// CHECK-NEXT:    %[[EVEN:.*]] = int8.madd16 %[[X0]], %[[Y0]] : vector<16x2xi16> -> vector<16xi32>
// CHECK-NEXT:    %[[ODD:.*]] = int8.madd16 %[[X1]], %[[Y1]] : vector<16x2xi16> -> vector<16xi32>
// CHECK-NEXT:    %[[SUM:.*]] = arith.addi %[[EVEN]], %[[ODD]] : vector<16xi32>
// CHECK-NEXT:    %r = arith.addi %acc, %[[SUM]] : vector<16xi32>
// CHECK-NEXT:    func.return %r : vector<16xi32>

// MADD16-LABEL: func.func @even_bytes_and_odd_ones(
// MADD16-COUNT-2: int8.madd16

// Not proven, so the best form that is exact:
// MADDUBS-LABEL: func.func @even_bytes_and_odd_ones(
// MADDUBS-NEXT:    int8.dot4 %acc, %x, %y

// VNNI-LABEL: func.func @even_bytes_and_odd_ones(
// VNNI-NEXT:    int8.dot4 %acc, %x, %y

// CL-LABEL: func.func @even_bytes_and_odd_ones(
// CL-NEXT:    int8.dot4 %acc, %x, %y

// GENERIC-LABEL: func.func @even_bytes_and_odd_ones(
// GENERIC-NEXT:    %[[LOW:.*]] = arith.constant dense<255> : vector<16xi32>
// GENERIC-NEXT:    %[[C24:.*]] = arith.constant dense<24> : vector<16xi32>
// GENERIC-NEXT:    %[[C8:.*]] = arith.constant dense<8> : vector<16xi32>
// GENERIC-NEXT:    %[[C16:.*]] = arith.constant dense<16> : vector<16xi32>
// GENERIC-NEXT:    %[[X:.*]] = vec.bitcast %x : vector<16x4xi8> to vector<16xi32>
// GENERIC-NEXT:    %[[X0:.*]] = arith.andi %[[X]], %[[LOW]] : vector<16xi32>
// GENERIC:         %[[Y:.*]] = vec.bitcast %y : vector<16x4xi8> to vector<16xi32>
// GENERIC-NEXT:    %[[UP:.*]] = arith.shli %[[Y]], %[[C24]] : vector<16xi32>
// GENERIC:         %[[Y0:.*]] = arith.shrsi %[[UP]], %[[C24]] : vector<16xi32>
// GENERIC:         %[[P0:.*]] = arith.muli %[[X0]], %[[Y0]] : vector<16xi32>
// GENERIC-NEXT:    %[[S0:.*]] = arith.addi %acc, %[[P0]] : vector<16xi32>
// GENERIC-COUNT-3: arith.muli
// GENERIC-NEXT:    %r = arith.addi
// GENERIC-NEXT:    func.return %r : vector<16xi32>
func.func @even_bytes_and_odd_ones(%acc: vector<16xi32>, %x: vector<16x4xi8>, %y: vector<16x4xi8>) -> vector<16xi32> {
  %r = int8.dot4 %acc, %x, %y : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return %r : vector<16xi32>
}

// CHECK-LABEL: func.func @small_weights_cannot_saturate(
// CHECK-NEXT:    %[[ONES:.*]] = arith.constant dense<1> : vector<16x2xi16>
// CHECK-NEXT:    %[[P:.*]] = int8.maddubs %x, %y : vector<16x4xi8> -> vector<16x2xi16>
// CHECK-NEXT:    %[[S:.*]] = int8.madd16 %[[P]], %[[ONES]] : vector<16x2xi16> -> vector<16xi32>
// CHECK-NEXT:    %[[R:.*]] = arith.addi %acc, %[[S]] : vector<16xi32>
// CHECK-NEXT:    %[[Q:.*]] = int8.maddubs %x, %y
// CHECK-NEXT:    %[[T:.*]] = int8.madd16 %[[Q]], %[[ONES]]
// CHECK-NEXT:    arith.addi %[[R]], %[[T]] : vector<16xi32>

// MADD16-LABEL: func.func @small_weights_cannot_saturate(
// MADD16-NOT:     int8.maddubs
// MADD16:         func.return

// MADDUBS-LABEL: func.func @small_weights_cannot_saturate(
// MADDUBS-COUNT-2: int8.maddubs

// VNNI-LABEL: func.func @small_weights_cannot_saturate(
// VNNI-COUNT-2: int8.dot4

// XMM-LABEL: func.func @small_weights_cannot_saturate(
// XMM-COUNT-8: int8.maddubs %{{.*}} : vector<4x4xi8> -> vector<4x2xi16>

// GENERIC-LABEL: func.func @small_weights_cannot_saturate(
// GENERIC-NOT:     int8.

// CL-LABEL: func.func @small_weights_cannot_saturate(
// CL-COUNT-2: int8.dot4
func.func @small_weights_cannot_saturate(%acc: vector<16xi32>, %x: vector<16x4xi8>, %y: vector<16x4xi8>) -> vector<16xi32> {
  %r = int8.dot4 %acc, %x, %y {lamina.abs_b = 64 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  %s = int8.dot4 %r, %x, %y {lamina.pair_b = 128 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return %s : vector<16xi32>
}

// CHECK-LABEL: func.func @larger_ones_could(
// CHECK-NOT:     int8.maddubs
// CHECK:         func.return

// MADDUBS-LABEL: func.func @larger_ones_could(
// MADDUBS-NOT:     int8.maddubs
// MADDUBS:         func.return
func.func @larger_ones_could(%acc: vector<16xi32>, %x: vector<16x4xi8>, %y: vector<16x4xi8>) -> vector<16xi32> {
  %r = int8.dot4 %acc, %x, %y {lamina.abs_b = 65 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  %s = int8.dot4 %r, %x, %y {lamina.pair_b = 129 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return %s : vector<16xi32>
}

// What two sums have in common is taken apart once, where it is loaded.
// CHECK-LABEL: func.func @bytes_are_taken_apart_once(
// CHECK:         %[[X:.*]] = vec.load %a[0] : memref<64xi8> -> vector<16x4xi8>
// CHECK-NEXT:    %[[P:.*]] = vec.bitcast %[[X]] : vector<16x4xi8> to vector<16x2xi16>
// CHECK-NEXT:    %[[X0:.*]] = arith.andi %[[P]], %{{.*}} : vector<16x2xi16>
// CHECK-NEXT:    %[[X1:.*]] = arith.shrui %[[P]], %{{.*}} : vector<16x2xi16>
// CHECK-NEXT:    loop.for %i < 2 iter(
// CHECK:           int8.madd16 %[[X0]]
// CHECK-NEXT:      int8.madd16 %[[X1]]
// CHECK:           int8.madd16 %[[X0]]
// CHECK-NEXT:      int8.madd16 %[[X1]]
// CHECK-NOT:     vec.bitcast %[[X]]
// CHECK:         func.return
func.func @bytes_are_taken_apart_once(%a: memref<64xi8>, %b: memref<4x64xi8>, %zero: vector<16xi32>) {
  %x = vec.load %a[0] : memref<64xi8> -> vector<16x4xi8>
  %r, %s = loop.for %i < 2 iter(%c = %zero, %d = %zero) : vector<16xi32> {
    %y = vec.load %b[%i, 0] : memref<4x64xi8> -> vector<16x4xi8>
    %z = vec.load %b[%i + 2, 0] : memref<4x64xi8> -> vector<16x4xi8>
    %e = int8.dot4 %c, %x, %y : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    %f = int8.dot4 %d, %x, %z : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    loop.yield %e, %f : vector<16xi32>, vector<16xi32>
  }
  func.return
}

// Sums of one step of a reduction share one look at their signed sides; what only they read is read
// in both branches.
// CHECK-LABEL: func.func @most_sums_of_two_products_fit(
// CHECK:         %[[ONES:.*]] = arith.constant dense<1> : vector<16x4xi8>
// CHECK-NEXT:    %[[MOST:.*]] = arith.constant dense<128> : vector<16x2xi16>
// CHECK:         loop.for %i < 2 iter(%c = %zero, %d = %zero, %e = %zero, %f = %zero)
// CHECK-NEXT:      %[[Y:.*]] = vec.load %b[%i, 0]
// CHECK-NEXT:      %[[P:.*]] = int8.maddubs %[[ONES]], %[[Y]]
// CHECK-NEXT:      %[[S:.*]] = math.absi %[[P]] : vector<16x2xi16>
// CHECK-NEXT:      %[[Z:.*]] = vec.load %b[%i + 2, 0]
// CHECK-NEXT:      %[[Q:.*]] = int8.maddubs %[[ONES]], %[[Z]]
// CHECK-NEXT:      %[[T:.*]] = math.absi %[[Q]] : vector<16x2xi16>
// CHECK-NEXT:      %[[L:.*]] = arith.maxsi %[[S]], %[[T]] : vector<16x2xi16>
// CHECK-NEXT:      %[[M:.*]] = vec.compare "sgt" %[[L]], %[[MOST]] : vector<16x2xi16> -> vector<16x2xi1>
// CHECK-NEXT:      %[[ANY:.*]] = vec.any %[[M]] : vector<16x2xi1>
// CHECK-NEXT:      %g, %h, %j, %k = scf.if %[[ANY]] -> (vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>) {
// CHECK-NOT:         maddubs
// CHECK:             vec.load_splat %a[%i * 4]
// CHECK-COUNT-4:     int8.madd16
// CHECK:             vec.load_splat %a[%i * 4 + 32]
// CHECK-COUNT-4:     int8.madd16
// CHECK-NOT:         maddubs
// CHECK:             scf.yield
// CHECK-NEXT:      } else {
// CHECK-NEXT:        %[[SOME:.*]] = arith.constant dense<1> : vector<16x2xi16>
// CHECK-NEXT:        vec.load_splat %a[%i * 4]
// CHECK-COUNT-2:     int8.maddubs
// CHECK:             vec.load_splat %a[%i * 4 + 32]
// CHECK-COUNT-2:     int8.maddubs
// CHECK-NOT:         int8.maddubs
// CHECK:             scf.yield
// CHECK-NEXT:      }{lamina.seldom}
// CHECK-NEXT:      loop.yield %g, %h, %j, %k

// VNNI-LABEL: func.func @most_sums_of_two_products_fit(
// VNNI-NOT:      scf.if
// VNNI:          func.return
func.func @most_sums_of_two_products_fit(%a: memref<64xi8>, %b: memref<4x64xi8>, %zero: vector<16xi32>) {
  %r, %s, %t, %u = loop.for %i < 2 iter(%c = %zero, %d = %zero, %e = %zero, %f = %zero) : vector<16xi32> {
    %y = vec.load %b[%i, 0] : memref<4x64xi8> -> vector<16x4xi8>
    %z = vec.load %b[%i + 2, 0] : memref<4x64xi8> -> vector<16x4xi8>
    %x = vec.load_splat %a[%i * 4] : memref<64xi8> -> vector<16x4xi8>
    %g = int8.dot4 %c, %x, %y {lamina.most_b = 98 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    %h = int8.dot4 %d, %x, %z {lamina.most_b = 98 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    %w = vec.load_splat %a[%i * 4 + 32] : memref<64xi8> -> vector<16x4xi8>
    %j = int8.dot4 %e, %w, %y {lamina.most_b = 98 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    %k = int8.dot4 %f, %w, %z {lamina.most_b = 98 : i64} : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
    loop.yield %g, %h, %j, %k : vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>
  }
  func.return
}

// A sum that goes on is the next step; what is read before a store stays there.
// CHECKED-LABEL: func.func @steps_are_looked_at_one_by_one(
// CHECKED:         vec.load %a[0]
// CHECKED:         vec.store
// CHECKED:         %[[R:.*]] = scf.if
// CHECKED-NOT:       vec.load
// CHECKED:         %[[S:.*]] = scf.if
// CHECKED:           vec.load %a[32]
// CHECKED:           vec.load %a[32]
// CHECKED:         func.return %[[S]] : vector<8xi32>
func.func @steps_are_looked_at_one_by_one(%a: memref<64xi8>, %acc: vector<8xi32>, %y: vector<8x4xi8>, %z: vector<8x4xi8>) -> vector<8xi32> {
  %w = vec.load %a[0] : memref<64xi8> -> vector<8x4xi8>
  vec.store %y, %a[0] : vector<8x4xi8>, memref<64xi8>
  %x = vec.load %a[32] : memref<64xi8> -> vector<8x4xi8>
  %r = int8.dot4 %acc, %w, %y : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
  %s = int8.dot4 %r, %x, %z : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
  func.return %s : vector<8xi32>
}

// VEX-LABEL: func.func @a_vector_is_cut_to_registers(
// VEX-NEXT:    %[[A0:.*]] = vec.shuffle %x, %x [0, 1, 2, 3, 4, 5, 6, 7] : vector<16x4xi8> -> vector<8x4xi8>
// VEX-NEXT:    %[[B0:.*]] = vec.shuffle %y, %y [0, 1, 2, 3, 4, 5, 6, 7] : vector<16x4xi8> -> vector<8x4xi8>
// VEX-NEXT:    %[[A1:.*]] = vec.shuffle %x, %x [8, 9, 10, 11, 12, 13, 14, 15] : vector<16x4xi8> -> vector<8x4xi8>
// VEX-NEXT:    %[[B1:.*]] = vec.shuffle %y, %y [8, 9, 10, 11, 12, 13, 14, 15] : vector<16x4xi8> -> vector<8x4xi8>
// VEX-NEXT:    %[[C0:.*]] = vec.shuffle %acc, %acc [0, 1, 2, 3, 4, 5, 6, 7] : vector<16xi32> -> vector<8xi32>
// VEX-NEXT:    %[[D0:.*]] = int8.dot4 %[[C0]], %[[A0]], %[[B0]] : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
// VEX-NEXT:    %[[C1:.*]] = vec.shuffle %acc, %acc [8, 9, 10, 11, 12, 13, 14, 15] : vector<16xi32> -> vector<8xi32>
// VEX-NEXT:    %[[D1:.*]] = int8.dot4 %[[C1]], %[[A1]], %[[B1]] : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
// VEX-NEXT:    %r = vec.shuffle %[[D0]], %[[D1]] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] : vector<8xi32> -> vector<16xi32>
// VEX-NEXT:    func.return %r : vector<16xi32>

// CHECKED-LABEL: func.func @a_vector_is_cut_to_registers(
// CHECKED:         scf.if %{{.*}} -> (vector<8xi32>, vector<8xi32>)
// CHECKED-NOT:     scf.if
// CHECKED:         func.return
func.func @a_vector_is_cut_to_registers(%acc: vector<16xi32>, %x: vector<16x4xi8>, %y: vector<16x4xi8>) -> vector<16xi32> {
  %r = int8.dot4 %acc, %x, %y : vector<16xi32>, vector<16x4xi8>, vector<16x4xi8>
  func.return %r : vector<16xi32>
}

// VNNI-LABEL: func.func @lanes_are_padded_with_what_is_there(
// VNNI-NEXT:    %[[A:.*]] = vec.shuffle %x, %x [0, 1, 2, 3, 4, 4, 4, 4] : vector<5x4xi8> -> vector<8x4xi8>
// VNNI-NEXT:    %[[B:.*]] = vec.shuffle %y, %y [0, 1, 2, 3, 4, 4, 4, 4] : vector<5x4xi8> -> vector<8x4xi8>
// VNNI-NEXT:    %[[C:.*]] = vec.shuffle %acc, %acc [0, 1, 2, 3, 4, 4, 4, 4] : vector<5xi32> -> vector<8xi32>
// VNNI-NEXT:    %[[D:.*]] = int8.dot4 %[[C]], %[[A]], %[[B]] : vector<8xi32>, vector<8x4xi8>, vector<8x4xi8>
// VNNI-NEXT:    %r = vec.shuffle %[[D]], %[[D]] [0, 1, 2, 3, 4] : vector<8xi32> -> vector<5xi32>

// XMM-LABEL: func.func @lanes_are_padded_with_what_is_there(
// XMM:         vec.shuffle %x, %x [0, 1, 2, 3] : vector<5x4xi8> -> vector<4x4xi8>
// XMM:         vec.shuffle %x, %x [4, 4, 4, 4] : vector<5x4xi8> -> vector<4x4xi8>
// XMM-COUNT-4: int8.madd16 %{{.*}} : vector<4x2xi16> -> vector<4xi32>
// XMM:         %[[T:.*]] = vec.shuffle %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7] : vector<4xi32> -> vector<8xi32>
// XMM-NEXT:    %r = vec.shuffle %[[T]], %[[T]] [0, 1, 2, 3, 4] : vector<8xi32> -> vector<5xi32>
func.func @lanes_are_padded_with_what_is_there(%acc: vector<5xi32>, %x: vector<5x4xi8>, %y: vector<5x4xi8>) -> vector<5xi32> {
  %r = int8.dot4 %acc, %x, %y : vector<5xi32>, vector<5x4xi8>, vector<5x4xi8>
  func.return %r : vector<5xi32>
}

// Of three parts the last one is put together with itself.
// VEX-LABEL: func.func @an_odd_number_of_parts(
// VEX-COUNT-3: int8.dot4
// VEX-NEXT:    %[[P:.*]] = vec.shuffle %[[D0:.*]], %[[D1:.*]] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] : vector<8xi32> -> vector<16xi32>
// VEX-NEXT:    %[[Q:.*]] = vec.shuffle %[[D2:.*]], %[[D3:.*]] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] : vector<8xi32> -> vector<16xi32>
// VEX-NEXT:    %[[R:.*]] = vec.shuffle %[[P]], %[[Q]]
// VEX-NEXT:    %r = vec.shuffle %[[R]], %[[R]] [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19] : vector<32xi32> -> vector<20xi32>
func.func @an_odd_number_of_parts(%acc: vector<20xi32>, %x: vector<20x4xi8>, %y: vector<20x4xi8>) -> vector<20xi32> {
  %r = int8.dot4 %acc, %x, %y : vector<20xi32>, vector<20x4xi8>, vector<20x4xi8>
  func.return %r : vector<20xi32>
}

// VNNI-LABEL: func.func @one_group_is_no_vector(
// VNNI:         %[[X:.*]] = vec.bitcast %x : vector<4xi8> to i32
// VNNI:         arith.andi %[[X]], %{{.*}} : i32
// VNNI-COUNT-4: arith.muli %{{.*}} : i32
func.func @one_group_is_no_vector(%acc: i32, %x: vector<4xi8>, %y: vector<4xi8>) -> i32 {
  %r = int8.dot4 %acc, %x, %y : i32, vector<4xi8>, vector<4xi8>
  func.return %r : i32
}

// -----

// CHECK: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// GENERIC: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// MADD16: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// MADDUBS: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// VNNI: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// CHECKED: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// VEX: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// XMM: int8-lower-dot4: needs vectors or scalars, got tensor<2xi32>; run it after te-to-vec
// CL: func.func @tensors
func.func @tensors(%acc: tensor<2xi32>, %x: tensor<2x4xi8>) {
  %r = int8.dot4 %acc, %x, %x : tensor<2xi32>, tensor<2x4xi8>, tensor<2x4xi8>
  func.return
}
