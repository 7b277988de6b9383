// RUN: lamina-opt %s -p te-schedule,te-to-loops,te-to-vec --split-input-file --verify-diagnostics | filecheck %s

// Two vectors of outputs by two splats: loads, splats and fma in the order of the unrolled axes.
// CHECK-LABEL: func.func @accumulators_are_carried_and_the_epilogue_is_in_registers
// CHECK-NEXT:    %0 = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NEXT:    %1, %2, %3, %4 = loop.for %k < 8 iter(%acc = %0, %acc_1 = %0, %acc_2 = %0, %acc_3 = %0) : vector<16xf32> {
// CHECK-NEXT:      %5 = vec.load_splat %x[0, %k] : memref<2x8xf32> -> vector<16xf32>
// CHECK-NEXT:      %6 = vec.load %w[%k, 0] : memref<8x32xf32> -> vector<16xf32>
// CHECK-NEXT:      %7 = math.fma %5, %6, %acc : vector<16xf32>
// CHECK-NEXT:      %8 = vec.load %w[%k, 16] : memref<8x32xf32> -> vector<16xf32>
// CHECK-NEXT:      %9 = math.fma %5, %8, %acc_1 : vector<16xf32>
// CHECK-NEXT:      %10 = vec.load_splat %x[1, %k] : memref<2x8xf32> -> vector<16xf32>
// CHECK-NEXT:      %11 = math.fma %10, %6, %acc_2 : vector<16xf32>
// CHECK-NEXT:      %12 = math.fma %10, %8, %acc_3 : vector<16xf32>
// CHECK-NEXT:      loop.yield %7, %9, %11, %12
// CHECK-NEXT:    }
// CHECK-NEXT:    %13 = vec.load %b[0] : memref<32xf32> -> vector<16xf32>
// CHECK-NEXT:    %14 = arith.addf %1, %13 : vector<16xf32>
// CHECK-NEXT:    vec.store %14, %y[0, 0] : vector<16xf32>, memref<2x32xf32>
// CHECK:         vec.store {{.*}}, %y[0, 16]
// CHECK:         vec.store {{.*}}, %y[1, 0]
// CHECK:         vec.store {{.*}}, %y[1, 16]
func.func @accumulators_are_carried_and_the_epilogue_is_in_registers(
    %x: memref<2x8xf32>, %w: memref<8x32xf32>, %b: memref<32xf32>, %y: memref<2x32xf32>) {
  te.compute
    axes(m: 2, n: 32, reduce k: 8) ins(%x[m, k], %w[k, n]) extras(%b[n]) out(%y[m, n])
    init 0.0 : f32
    schedule [split n 16 no nv, order k m no nv, unroll m no, vector nv]
    : memref<2x8xf32>, memref<8x32xf32>, memref<32xf32>, memref<2x32xf32>
    (%p: f32, %q: f32, %acc: f32) {
      %s = math.fma %p, %q, %acc : f32
      te.yield %s : f32
    } epilogue (%v: f32, %c: f32) {
      %r = arith.addf %v, %c : f32
      te.yield %r : f32
    }
  func.return
}

// -----

// The kernel of the 2018 talk: 28 pixels of one row by 16 channels. The weights are one register,
// the 28 accumulators 28 more, and each pixel is broadcast from memory into its fma.
// CHECK-LABEL: func.func @one_vector_of_weights_by_28_pixels
// CHECK:         loop.for %oco < 4 parallel {
// CHECK-NEXT:      loop.for %oh < 56 {
// CHECK-NEXT:        loop.for %owo < 2 {
// CHECK:               loop.for %ico < 4, %kh < 3, %kw < 3, %ici < 16 iter(
// CHECK-NEXT:            vec.load_splat %x[%ico, %kh + %oh, %kw + %owo * 28, %ici]
// CHECK-NEXT:            %[[W:[0-9]+]] = vec.load %w[%oco, %ico, %kh, %kw, %ici, 0]
// CHECK-NEXT:            math.fma %{{[0-9]+}}, %[[W]], %acc
// CHECK-NEXT:            vec.load_splat %x[%ico, %kh + %oh, %kw + %owo * 28 + 1, %ici]
// CHECK-NEXT:            math.fma %{{[0-9]+}}, %[[W]], %acc_1
// CHECK-COUNT-26:        math.fma
// CHECK-NOT:             math.fma
// CHECK:                 loop.yield
// CHECK-COUNT-28:      vec.store
func.func @one_vector_of_weights_by_28_pixels(
    %x: memref<4x58x58x16xf32>, %w: memref<4x4x3x3x16x16xf32>, %y: memref<4x56x56x16xf32>) {
  te.compute
    axes(oc: 64, oh: 56, ow: 56, reduce ic: 64, reduce kh: 3, reduce kw: 3)
    ins(%x[ic floordiv 16, oh + kh, ow + kw, ic mod 16],
        %w[oc floordiv 16, ic floordiv 16, kh, kw, ic mod 16, oc mod 16])
    out(%y[oc floordiv 16, oh, ow, oc mod 16])
    init 0.0 : f32
    schedule [split oc 16 oco ocv, split ic 16 ico ici, split ow 28 owo owi,
      order oco oh owo ico kh kw ici owi ocv, parallel oco, unroll owi, vector ocv]
    : memref<4x58x58x16xf32>, memref<4x4x3x3x16x16xf32>, memref<4x56x56x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @without_a_schedule_code_is_scalar
// CHECK:         loop.for %i < 5 {
// CHECK-NEXT:      %0 = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      %1 = loop.for %k < 7 iter(%acc = %0) : f32 {
// CHECK-NEXT:        %2 = vec.load %x[%i, %k] : memref<5x7xf32> -> f32
// CHECK-NEXT:        %3 = arith.addf %acc, %2 : f32
// CHECK-NEXT:        loop.yield %3 : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      vec.store %1, %y[%i] : f32, memref<5xf32>
func.func @without_a_schedule_code_is_scalar(%x: memref<5x7xf32>, %y: memref<5xf32>) {
  te.compute
    axes(i: 5, reduce k: 7) ins(%x[i, k]) out(%y[i]) init 0.0 : f32
    : memref<5x7xf32>, memref<5xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @points_and_lanes_outside_a_bound_are_not_computed
// CHECK:         vec.load %x[0] : memref<21xf32> -> vector<8xf32>
// CHECK:         vec.load %x[8] : memref<21xf32> -> vector<8xf32>
// CHECK:         vec.load %x[16] : memref<21xf32> -> vector<5xf32>
// CHECK-NOT:     vec.load
// CHECK:         vec.store {{.*}}, %y[16] : vector<5xf32>, memref<21xf32>
// CHECK-NOT:     vec.store
func.func @points_and_lanes_outside_a_bound_are_not_computed(%x: memref<21xf32>, %y: memref<21xf32>) {
  te.compute
    axes(i: 21) ins(%x[i]) out(%y[i]) init 0.0 : f32
    schedule [split i 32 io ii, split ii 8 im iv, unroll im, vector iv]
    : memref<21xf32>, memref<21xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// A vector axis that is not contiguous in memory.
// CHECK-LABEL: func.func @lanes_are_gathered_and_scattered
// CHECK:         vec.load_strided %x[0, %h * 2] stride 18 : memref<16x18xf32> -> vector<16xf32>
// CHECK-NEXT:    vec.store_strided %{{[0-9]+}}, %y[%h, 0] stride 2 : vector<16xf32>, memref<9x32xf32>
func.func @lanes_are_gathered_and_scattered(%x: memref<16x18xf32>, %y: memref<9x32xf32>) {
  te.compute
    axes(h: 9, c: 16) ins(%x[c, h * 2]) out(%y[h, c * 2]) init 0.0 : f32
    schedule [vector c]
    : memref<16x18xf32>, memref<9x32xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK-LABEL: func.func @groups_of_4_bytes_are_one_lane
// CHECK:         vec.load_splat %x[%ko * 4] : memref<32xi8> -> vector<16x4xi8>
// CHECK-NEXT:    vec.load %w[%ko, 0, 0] : memref<8x16x4xi8> -> vector<16x4xi8>
// CHECK-NEXT:    int8.dot4 %{{.*}} {lamina.pair_b = 100 : i64} : vector<16xi32>
func.func @groups_of_4_bytes_are_one_lane(%x: memref<32xi8>, %w: memref<8x16x4xi8>, %y: memref<16xi32>) {
  te.compute
    axes(c: 16, reduce k: 32) ins(%x[k], %w[k floordiv 4, c, k mod 4]) out(%y[c]) init 0 : i32
    schedule [split k 4 ko ki, dot4 ki, order ko c, vector c]
    attributes {lamina.pair_b = 100 : i64}
    : memref<32xi8>, memref<8x16x4xi8>, memref<16xi32>
    (%a: i8, %b: i8, %acc: i32) {
      %ax = arith.extui %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx : i32
      %s = arith.addi %acc, %p : i32
      te.yield %s : i32
    }
  func.return
}

// -----

// 40 = 2 * 16 + 8: the accumulator is carried through the full steps, then through the rest.
// CHECK-LABEL: func.func @bounded_reduction_carries_its_accumulator_through_the_rest
// CHECK:         %[[FULL:[0-9]+]] = loop.for %ko < 2, %ki < 16 iter(%acc = %{{[0-9]+}}) : vector<8xf32> {
// CHECK:           vec.load %x[%ki + %ko * 16, 0]
// CHECK:         %[[ALL:[0-9]+]] = loop.for %ki_1 < 8 iter(%acc_1 = %[[FULL]]) : vector<8xf32> {
// CHECK:           vec.load %x[%ki_1 + 32, 0]
// CHECK:         vec.store %[[ALL]], %y[0]
func.func @bounded_reduction_carries_its_accumulator_through_the_rest(%x: memref<40x8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(c: 8, reduce k: 40) ins(%x[k, c]) out(%y[c]) init 0.0 : f32
    schedule [split k 16 ko ki, order ko ki c, vector c]
    : memref<40x8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// The order of the sum is the order of the axes.
// CHECK-LABEL: func.func @unrolled_reduction_around_a_rolled_one_copies_the_nest
// CHECK:         %[[A:[0-9]+]] = loop.for %k < 8 iter
// CHECK:           vec.load %x[0, %k, 0]
// CHECK:         %[[B:[0-9]+]] = loop.for %k_1 < 8 iter(%acc_1 = %[[A]])
// CHECK:           vec.load %x[1, %k_1, 0]
// CHECK:         vec.store %[[B]]
func.func @unrolled_reduction_around_a_rolled_one_copies_the_nest(%x: memref<2x8x8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(reduce j: 2 unroll, reduce k: 8, c: 8 vector) ins(%x[j, k, c]) out(%y[c]) init 0.0 : f32
    : memref<2x8x8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @tables_of_constants_fold_into_the_arithmetic
// CHECK-NOT:     te.constant
// CHECK:         %[[X0:[0-9]+]] = vec.load %x[0, 0]
// CHECK:         %[[X2:[0-9]+]] = vec.load %x[2, 0]
// CHECK-NEXT:    %[[B:[0-9]+]] = arith.subf %[[X0]], %[[X2]] : vector<8xf32>
// CHECK:         %[[X3:[0-9]+]] = vec.load %x[3, 0]
// CHECK-NEXT:    %[[C:[0-9]+]] = math.fma %[[X3]], %{{[0-9]+}}, %[[B]] : vector<8xf32>
// CHECK-NEXT:    vec.store %[[C]]
func.func @tables_of_constants_fold_into_the_arithmetic(%x: memref<4x8xf32>, %y: memref<8xf32>) {
  %t = te.constant dense<[1.0, 0.0, -1.0, 0.5]> : tensor<4xf32> -> memref<4xf32>
  te.compute
    axes(reduce k: 4 unroll, c: 8 vector) ins(%x[k, c], %t[k]) out(%y[c]) init 0.0 : f32
    : memref<4x8xf32>, memref<4xf32>, memref<8xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @products_and_sums_fold_as_fma_does
// CHECK:         %[[X0:[0-9]+]] = vec.load %x[0, 0]
// CHECK-NEXT:    %[[A:[0-9]+]] = arith.mulf %[[X0]], %{{[0-9]+}} : vector<4xf32>
// CHECK:         %[[X2:[0-9]+]] = vec.load %x[2, 0]
// CHECK-NEXT:    %[[B:[0-9]+]] = arith.addf %[[X2]], %[[A]] : vector<4xf32>
// CHECK:         %[[X3:[0-9]+]] = vec.load %x[3, 0]
// CHECK-NEXT:    %[[C:[0-9]+]] = arith.subf %[[B]], %[[X3]] : vector<4xf32>
// CHECK:         %[[X4:[0-9]+]] = vec.load %x[4, 0]
// CHECK-NEXT:    %[[P:[0-9]+]] = arith.mulf %[[X4]], %{{[0-9]+}} : vector<4xf32>
// CHECK-NEXT:    %[[D:[0-9]+]] = arith.addf %[[C]], %[[P]] : vector<4xf32>
// CHECK-NEXT:    vec.store %[[D]]
func.func @products_and_sums_fold_as_fma_does(%x: memref<5x4xf32>, %y: memref<4xf32>) {
  %t = te.constant dense<[0.5, 0.0, 1.0, -1.0, 2.0]> : tensor<5xf32> -> memref<5xf32>
  te.compute
    axes(reduce k: 5 unroll, c: 4 vector) ins(%x[k, c], %t[k]) out(%y[c]) init 0.0 : f32
    : memref<5x4xf32>, memref<5xf32>, memref<4xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @infinity_is_written_by_its_bits
// CHECK-NEXT:    %[[BITS:[0-9]+]] = arith.constant dense<-8388608> : vector<8xi32>
// CHECK-NEXT:    vec.bitcast %[[BITS]] : vector<8xi32> to vector<8xf32>
func.func @infinity_is_written_by_its_bits(%x: memref<4x8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(reduce k: 4, c: 8 vector) ins(%x[k, c]) out(%y[c]) init 0xff800000 : f32
    : memref<4x8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) {
      %s = arith.maximumf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @casts_of_all_lanes_are_conversions
// CHECK:         %[[X:[0-9]+]] = vec.load %x[0] : memref<8xi8> -> vector<8xi8>
// CHECK-NEXT:    %[[I:[0-9]+]] = vec.convert unsigned %[[X]] : vector<8xi8> to vector<8xi32>
// CHECK-NEXT:    vec.convert %[[I]] : vector<8xi32> to vector<8xf32>
func.func @casts_of_all_lanes_are_conversions(%x: memref<8xi8>, %y: memref<8xf32>) {
  te.compute
    axes(c: 8 vector) ins(%x[c]) out(%y[c]) init 0.0 : f32
    : memref<8xi8>, memref<8xf32>
    (%a: i8, %acc: f32) {
      %i = arith.extui %a : i8 to i32
      %f = arith.sitofp %i : i32 to f32
      te.yield %f : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: loop 'i' is inside reduction 'k', so that its accumulators would live in memory; unroll 'i' or order it before 'k' (@loop_inside_a_reduction)
func.func @loop_inside_a_reduction(%x: memref<5x7xf32>, %y: memref<5xf32>) {
  te.compute
    axes(reduce k: 7, i: 5) ins(%x[i, k]) out(%y[i]) init 0.0 : f32
    : memref<5x7xf32>, memref<5xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: [i - 1] pad 0.0 may read outside its buffer; run te-peel-padding before the schedule is chosen, or give the buffer a halo (@padded_read)
func.func @padded_read(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(i: 8) ins(%x[i - 1] pad 0.0) out(%y[i]) init 0.0 : f32
    : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: 'c floordiv 3' is not linear in 'c', which is unrolled or a vector; split 'c' where its blocks are (@vector_over_a_block)
func.func @vector_over_a_block(%x: memref<4x3xf32>, %y: memref<12xf32>) {
  te.compute
    axes(c: 12 vector) ins(%x[c floordiv 3, c mod 3]) out(%y[c]) init 0.0 : f32
    : memref<4x3xf32>, memref<12xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: 'k' is a reduction, but each lane holds an output; split 'k' and unroll it, or make another axis the vector (@vector_of_a_reduction)
func.func @vector_of_a_reduction(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  te.compute
    axes(i: 4, reduce k: 8 vector) ins(%x[i, k]) out(%y[i]) init 0.0 : f32
    : memref<4x8xf32>, memref<4xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: [-i + 7] walks backwards along 'i'; make it a loop (@backwards_vector)
func.func @backwards_vector(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(i: 8 vector) ins(%x[7 - i]) out(%y[i]) init 0.0 : f32
    : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK-LABEL: func.func @choice_on_vectors
// CHECK:         %[[A:.*]] = vec.load %x[0]
// CHECK:         %[[B:.*]] = vec.load %m[0] : memref<8xi1> -> vector<8xi1>
// CHECK-NEXT:    %[[C:.*]] = vec.compare "olt" %[[A]], %{{.*}} : vector<8xf32> -> vector<8xi1>
// CHECK-NEXT:    %[[E:.*]] = vec.compare "ne" %[[C]], %[[B]] : vector<8xi1> -> vector<8xi1>
// CHECK-NEXT:    %[[S:.*]] = vec.select %[[E]], %[[A]], %{{.*}} : vector<8xi1>, vector<8xf32>
// CHECK-NEXT:    vec.store %[[S]], %y[0]
func.func @choice_on_vectors(%x: memref<8xf32>, %m: memref<8xi1>, %y: memref<8xf32>) {
  te.compute
    axes(i: 8 vector) ins(%x[i], %m[i]) out(%y[i]) init 0.0 : f32
    : memref<8xf32>, memref<8xi1>, memref<8xf32>
    (%a: f32, %b: i1, %acc: f32) {
      %c = arith.cmpf olt, %a, %acc : f32
      %e = arith.cmpi ne, %c, %b : i1
      %s = arith.select %e, %a, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: scf.if takes no vectors; make 'i' a loop (@branch_on_vectors)
func.func @branch_on_vectors(%x: memref<8xi1>, %y: memref<8xf32>) {
  te.compute
    axes(i: 8 vector) ins(%x[i]) out(%y[i]) init 0.0 : f32
    : memref<8xi1>, memref<8xf32>
    (%a: i1, %acc: f32) {
      %s = scf.if %a -> (f32) { scf.yield %acc : f32 } else { scf.yield %acc : f32 }
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: [k] is a table of constants; unroll 'k' to use it (@table_in_a_loop)
func.func @table_in_a_loop(%x: memref<4x8xf32>, %y: memref<8xf32>) {
  %t = te.constant dense<[1.0, 0.0, -1.0, 0.5]> : tensor<4xf32> -> memref<4xf32>
  te.compute
    axes(reduce k: 4, c: 8 vector) ins(%x[k, c], %t[k]) out(%y[c]) init 0.0 : f32
    : memref<4x8xf32>, memref<4xf32>, memref<8xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %s = math.fma %a, %b, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: bound 'c + k < 9' makes the lanes of 'c' differ from step to step (@triangle)
func.func @triangle(%x: memref<4x8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(reduce k: 4, c: 8 vector) where c + k < 9 ins(%x[k, c]) out(%y[c]) init 0.0 : f32
    : memref<4x8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK: te-to-vec: bound '-c + 5 < 4' cuts the first lanes of 'c', not the last ones (@first_lanes)
func.func @first_lanes(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(c: 8 vector) where 5 - c < 4 ins(%x[c]) out(%y[c]) init 0.0 : f32
    : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: bound 'c mod 3 < 2' is not linear in 'c'; split 'c' where it is cut (@bound_on_a_remainder)
func.func @bound_on_a_remainder(%x: memref<8xf32>, %y: memref<8xf32>) {
  te.compute
    axes(c: 8 unroll) where c mod 3 < 2 ins(%x[c]) out(%y[c]) init 0.0 : f32
    : memref<8xf32>, memref<8xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: bound 'b * 8 + c < 20' depends on 'b', which comes from outside the op (@bound_on_an_argument)
func.func @bound_on_an_argument(%b: index, %x: memref<24xf32>, %y: memref<24xf32>) {
  te.compute at(b = %b)
    axes(c: 8 vector) where c + b * 8 < 20 ins(%x[b * 8 + c]) out(%y[b * 8 + c]) init 0.0 : f32
    : memref<24xf32>, memref<24xf32>
    (%a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: [k] is used after the reduction, so it cannot depend on 'k' (@extra_that_varies_in_the_reduction)
func.func @extra_that_varies_in_the_reduction(%x: memref<4x8xf32>, %b: memref<4xf32>, %y: memref<8xf32>) {
  te.compute
    axes(reduce k: 4, c: 8 vector) ins(%x[k, c]) extras(%b[k]) out(%y[c]) init 0.0 : f32
    : memref<4x8xf32>, memref<4xf32>, memref<8xf32>
    (%a: f32, %acc: f32) {
      %s = arith.addf %acc, %a : f32
      te.yield %s : f32
    } epilogue (%v: f32, %c: f32) {
      %r = arith.addf %v, %c : f32
      te.yield %r : f32
    }
  func.return
}

// -----

// 36 sums of 256 products each; the accumulators of each begin at zero.
// CHECK-LABEL: func.func @long_sum_is_made_of_groups
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NEXT:    loop.for %kg < 36 iter(%[[SUM:.*]] = %[[ZERO]]) : vector<16xf32> {
// CHECK-NEXT:      %[[GROUP:.*]] = loop.for %kt < 256 iter(%[[ACC:.*]] = %[[ZERO]]) : vector<16xf32> {
// CHECK-NEXT:        vec.load_splat %x[%kg * 256 + %kt]
// CHECK:             math.fma %{{.*}}, %{{.*}}, %[[ACC]]
// CHECK:           %[[NEXT:.*]] = arith.addf %[[SUM]], %[[GROUP]] : vector<16xf32>
// CHECK-NEXT:      loop.yield %[[NEXT]] : vector<16xf32>
func.func @long_sum_is_made_of_groups(
    %x: memref<9216xf32>, %w: memref<9216x16xf32>, %y: memref<16xf32>) {
  te.compute
    axes(reduce k: 9216, n: 16) ins(%x[k], %w[k, n]) out(%y[n]) init 0.0 : f32
    schedule [vector n]
    : memref<9216xf32>, memref<9216x16xf32>, memref<16xf32>
    (%p: f32, %q: f32, %acc: f32) {
      %s = math.fma %p, %q, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @short_sum_is_in_order
// CHECK:         loop.for %k < 1023 iter(
// CHECK-NEXT:      vec.load_splat
func.func @short_sum_is_in_order(
    %x: memref<1023xf32>, %w: memref<1023x16xf32>, %y: memref<16xf32>) {
  te.compute
    axes(reduce k: 1023, n: 16) ins(%x[k], %w[k, n]) out(%y[n]) init 0.0 : f32
    schedule [vector n]
    : memref<1023xf32>, memref<1023x16xf32>, memref<16xf32>
    (%p: f32, %q: f32, %acc: f32) {
      %s = math.fma %p, %q, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// The groups are whole steps of the outer axes where these are long enough.
// CHECK-LABEL: func.func @groups_end_where_an_axis_does
// CHECK:         loop.for %c < 32 iter(
// CHECK-NEXT:      loop.for %h < 9, %k < 16 iter(
func.func @groups_end_where_an_axis_does(
    %x: memref<32x9x16xf32>, %w: memref<32x9x16x16xf32>, %y: memref<16xf32>) {
  te.compute
    axes(reduce c: 32, reduce h: 9, reduce k: 16, n: 16)
    ins(%x[c, h, k], %w[c, h, k, n]) out(%y[n]) init 0.0 : f32
    schedule [vector n]
    : memref<32x9x16xf32>, memref<32x9x16x16xf32>, memref<16xf32>
    (%p: f32, %q: f32, %acc: f32) {
      %s = math.fma %p, %q, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// CHECK-LABEL: func.func @maximum_has_no_groups
// CHECK:         loop.for %k < 9216 iter(
// CHECK-NOT:     loop.for
// CHECK:         arith.maximumf
func.func @maximum_has_no_groups(%x: memref<9216x16xf32>, %y: memref<16xf32>) {
  te.compute
    axes(reduce k: 9216, n: 16) ins(%x[k, n]) out(%y[n]) init 0xFF800000 : f32
    schedule [vector n]
    : memref<9216x16xf32>, memref<16xf32>
    (%p: f32, %acc: f32) {
      %s = arith.maximumf %p, %acc : f32
      te.yield %s : f32
    }
  func.return
}

// -----

// Each integer is read once, before the reduction, and is an index of ordinary loads.
// CHECK-LABEL: func.func @integers_become_indices
// CHECK-NEXT:    %0 = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NEXT:    %1 = vec.load %rows[0] : memref<2xi32> -> i32
// CHECK-NEXT:    %2 = arith.extui %1 : i32 to i64
// CHECK-NEXT:    %[[I:.*]] = arith.index_cast %2 : i64 to index
// CHECK-NEXT:    %3 = vec.load %rows[1] : memref<2xi32> -> i32
// CHECK-NEXT:    %4 = arith.extui %3 : i32 to i64
// CHECK-NEXT:    %[[J:.*]] = arith.index_cast %4 : i64 to index
// CHECK-NEXT:    %{{.*}} = loop.for %k < 3 iter(%[[A:.*]] = %0, %[[B:.*]] = %0) : vector<16xf32> {
// CHECK-NEXT:      %{{.*}} = vec.load %x[%[[I]] floordiv 4, %k, %[[I]] mod 4, 0] : memref<2x3x4x16xf32> -> vector<16xf32>
// CHECK-NEXT:      %{{.*}} = arith.addf
// CHECK-NEXT:      %{{.*}} = vec.load %x[%[[J]] floordiv 4, %k, %[[J]] mod 4, 0] : memref<2x3x4x16xf32> -> vector<16xf32>
func.func @integers_become_indices(%rows: memref<2xi32>, %x: memref<2x3x4x16xf32>, %y: memref<2x16xf32>) {
  te.compute axes(reduce k: 3, r: 2 unroll, c: 16 vector)
    ins(%rows[r] as i: 8, %x[i floordiv 4, k, i mod 4, c]) out(%y[r, c]) init 0.0 : f32
    : memref<2xi32>, memref<2x3x4x16xf32>, memref<2x16xf32>
    (%i: i32, %a: f32, %acc: f32) { %s = arith.addf %acc, %a : f32  te.yield %s : f32 }
  func.return
}

// -----

// Integers of the lanes: the part of the place that differs is computed once for both gathers.
// CHECK-LABEL: func.func @integers_of_lanes_are_gathered_at
// CHECK:         %[[W:.*]] = vec.load %at[0] : memref<8xi64> -> vector<8xi64>
// CHECK-NEXT:    %[[L:.*]] = vec.convert %[[W]] : vector<8xi64> to vector<8xi32>
// CHECK-NEXT:    %[[D:.*]] = arith.divui %[[L]], %{{.*}} : vector<8xi32>
// CHECK-NEXT:    %[[O:.*]] = arith.muli %[[D]], %{{.*}} : vector<8xi32>
// CHECK-NEXT:    %[[M:.*]] = arith.remui %[[L]], %{{.*}} : vector<8xi32>
// CHECK-NEXT:    %[[P:.*]] = arith.addi %[[O]], %[[M]] : vector<8xi32>
// CHECK-NEXT:    %{{.*}} = vec.gather %x[0, 0, 0] at %[[P]] : memref<2x3x4xf32>, vector<8xi32> -> vector<8xf32>
// CHECK-NEXT:    %{{.*}} = vec.gather %x[0, 1, 0] at %[[P]] : memref<2x3x4xf32>, vector<8xi32> -> vector<8xf32>
func.func @integers_of_lanes_are_gathered_at(%at: memref<8xi64>, %x: memref<2x3x4xf32>, %y: memref<2x8xf32>) {
  te.compute axes(w: 2 unroll, c: 8 vector) ins(%at[c] as i: 8, %x[i floordiv 4, w, i mod 4]) out(%y[w, c]) init 0.0 : f32
    : memref<8xi64>, memref<2x3x4xf32>, memref<2x8xf32>
    (%i: i64, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// Lanes that walk along another dimension, at integers that are themselves gathered.
// CHECK-LABEL: func.func @integers_say_where_integers_are
// CHECK:         %[[S:.*]] = arith.constant dense<[0, 16, 32, 48]> : vector<4xi32>
// CHECK:         %[[I:.*]] = vec.load %at[0] : memref<4xi32> -> vector<4xi32>
// CHECK-NEXT:    %[[J:.*]] = vec.gather %to[0] at %[[I]] : memref<9xi32>, vector<4xi32> -> vector<4xi32>
// CHECK-NEXT:    %[[P:.*]] = arith.addi %[[J]], %[[S]] : vector<4xi32>
// CHECK-NEXT:    %{{.*}} = vec.gather %x[0, 2] at %[[P]] : memref<4x16xf32>, vector<4xi32> -> vector<4xf32>
func.func @integers_say_where_integers_are(%at: memref<4xi32>, %to: memref<9xi32>, %x: memref<4x16xf32>, %y: memref<4xf32>) {
  te.compute axes(c: 4 vector) ins(%at[c] as i: 9, %to[i] as j: 14, %x[c, j + 2]) out(%y[c]) init 0.0 : f32
    : memref<4xi32>, memref<9xi32>, memref<4x16xf32>, memref<4xf32>
    (%i: i32, %j: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// What may be negative is divided after moving it up by whole blocks.
// CHECK-LABEL: func.func @lanes_divide_towards_minus_infinity
// CHECK:         %[[M:.*]] = arith.muli %{{.*}}, %{{.*}} : vector<4xi32>
// CHECK-NEXT:    %[[N:.*]] = arith.addi %[[M]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:    %[[D:.*]] = arith.divui %[[N]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:    %[[P:.*]] = arith.subi %[[D]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:    vec.gather %x[3] at %[[P]]
func.func @lanes_divide_towards_minus_infinity(%at: memref<4xi32>, %x: memref<5xf32>, %y: memref<4xf32>) {
  te.compute axes(c: 4 vector) ins(%at[c] as i: 12, %x[(8 - i) floordiv 3 + 1]) out(%y[c]) init 0.0 : f32
    : memref<4xi32>, memref<5xf32>, memref<4xf32>
    (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// A table of integers is known: the index is a number.
// CHECK-LABEL: func.func @integers_of_a_table_are_numbers
// CHECK:         vec.load %x[4] : memref<8xf32> -> f32
// CHECK:         vec.load %x[1] : memref<8xf32> -> f32
func.func @integers_of_a_table_are_numbers(%x: memref<8xf32>, %y: memref<2xf32>) {
  %t = te.constant dense<[4, 1]> : tensor<2xi32> -> memref<2xi32>
  te.compute axes(r: 2 unroll) ins(%t[r] as i: 8, %x[i]) out(%y[r]) init 0.0 : f32
    : memref<2xi32>, memref<8xf32>, memref<2xf32>
    (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// The body may use the integer as a number too.
// CHECK-LABEL: func.func @an_integer_is_a_number_as_well
// CHECK:         %[[I:.*]] = vec.load %at[0] : memref<4xi32> -> vector<4xi32>
// CHECK-NEXT:    vec.gather %x[0] at %[[I]]
// CHECK-NEXT:    vec.convert %[[I]] : vector<4xi32> to vector<4xf32>
func.func @an_integer_is_a_number_as_well(%at: memref<4xi32>, %x: memref<9xf32>, %y: memref<4xf32>) {
  te.compute axes(c: 4 vector) ins(%at[c] as i: 9, %x[i]) out(%y[c]) init 0.0 : f32
    : memref<4xi32>, memref<9xf32>, memref<4xf32>
    (%i: i32, %a: f32, %acc: f32) { %f = arith.sitofp %i : i32 to f32  %s = arith.addf %a, %f : f32  te.yield %s : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: '(h + i) floordiv 2' takes an integer of each lane together with what all lanes share; make 'c' a loop (@lanes_divide_what_they_share)
func.func @lanes_divide_what_they_share(%at: memref<4xi32>, %x: memref<5xf32>, %y: memref<4xf32>) {
  loop.for %h < 2 {
    te.compute at(h = %h) axes(c: 4 vector) ins(%at[c] as i: 9, %x[(i + h) floordiv 2]) out(%y[c]) init 0.0 : f32
      : memref<4xi32>, memref<5xf32>, memref<4xf32>
      (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  }
  func.return
}

// -----

// CHECK: te-to-vec: memref<4294967296xf32> is too large for lanes that count in i32: 4294967296 elements (@lanes_far_apart)
func.func @lanes_far_apart(%at: memref<4xi64>, %x: memref<4294967296xf32>, %y: memref<4xf32>) {
  te.compute axes(c: 4 vector) ins(%at[c] as i: 4294967296, %x[i]) out(%y[c]) init 0.0 : f32
    : memref<4xi64>, memref<4294967296xf32>, memref<4xf32>
    (%i: i64, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// CHECK: te-to-vec: [i] is a table of constants, but 'i' is an integer read (@table_at_an_integer)
func.func @table_at_an_integer(%at: memref<4xi32>, %y: memref<4xf32>) {
  %t = te.constant dense<[4.0, 1.0]> : tensor<2xf32> -> memref<2xf32>
  te.compute axes(c: 4 unroll) ins(%at[c] as i: 2, %t[i]) out(%y[c]) init 0.0 : f32
    : memref<4xi32>, memref<2xf32>, memref<4xf32>
    (%i: i32, %a: f32, %acc: f32) { te.yield %a : f32 }
  func.return
}

// -----

// What is only added to a sum of integers is what it begins with; floats are added in their order.
// CHECK-LABEL: func.func @sums_of_integers_begin_with_what_is_added(
// CHECK:           %[[B:.*]] = vec.load %b[%i] : memref<4xi32> -> i32
// CHECK-NEXT:      %[[R:.*]] = loop.for %k < 9 iter(%acc = %[[B]])
// CHECK:           %[[R2:.*]] = arith.muli %[[R]], %[[R]] : i32
// CHECK-NEXT:      vec.store %[[R2]], %y[%i]
// CHECK:           arith.constant 0.0
// CHECK:           loop.for %{{.*}} < 9 iter
// CHECK:           vec.load %c[%{{.*}}] : memref<4xf32> -> f32
func.func @sums_of_integers_begin_with_what_is_added(%x: memref<4x9xi32>, %b: memref<4xi32>, %y: memref<4xi32>, %u: memref<4x9xf32>, %c: memref<4xf32>, %v: memref<4xf32>) {
    te.compute axes(i: 4, reduce k: 9) ins(%x[i, k]) extras(%b[i]) out(%y[i])
      init 0 : i32 : memref<4x9xi32>, memref<4xi32>, memref<4xi32> (%a: i32, %acc: i32) {
        %s = arith.addi %acc, %a : i32
        te.yield %s : i32
      } epilogue (%r: i32, %d: i32) {
        %t = arith.addi %d, %r : i32
        %t2 = arith.muli %t, %t : i32
        te.yield %t2 : i32
      }
    te.compute axes(i: 4, reduce k: 9) ins(%u[i, k]) extras(%c[i]) out(%v[i])
      init 0.0 : f32 : memref<4x9xf32>, memref<4xf32>, memref<4xf32> (%a: f32, %acc: f32) {
        %s = arith.addf %acc, %a : f32
        te.yield %s : f32
      } epilogue (%r: f32, %d: f32) {
        %t = arith.addf %d, %r : f32
        te.yield %t : f32
      }
  func.return
}

// -----

// CHECK-LABEL: func.func @what_is_used_again_is_added_behind(
// CHECK:         loop.for %k < 9 iter(%acc = %{{.*}}) : i32
// CHECK:         %[[B:.*]] = vec.load %b[] : memref<i32> -> i32
// CHECK-NEXT:    arith.addi
// CHECK-NEXT:    arith.muli %{{.*}}, %[[B]]
func.func @what_is_used_again_is_added_behind(%x: memref<9xi32>, %b: memref<i32>, %y: memref<i32>) {
  te.compute axes(reduce k: 9) ins(%x[k]) extras(%b[]) out(%y[])
    init 0 : i32 : memref<9xi32>, memref<i32>, memref<i32> (%a: i32, %acc: i32) {
      %s = arith.addi %acc, %a : i32
      te.yield %s : i32
    } epilogue (%r: i32, %d: i32) {
      %t = arith.addi %r, %d : i32
      %t2 = arith.muli %t, %d : i32
      te.yield %t2 : i32
    }
  func.return
}

// -----

// The largest of some numbers is no sum, and a sum that begins with 5 goes on with it.
// CHECK-LABEL: func.func @what_is_no_sum_from_zero_on(
// CHECK:         arith.maxsi
// CHECK:         arith.addi
// CHECK:         loop.for %{{.*}} < 9 iter
// CHECK:         arith.addi
// CHECK:         arith.addi
// CHECK:         func.return
func.func @what_is_no_sum_from_zero_on(%x: memref<9xi32>, %b: memref<i32>, %y: memref<i32>) {
  te.compute axes(reduce k: 9) ins(%x[k]) extras(%b[]) out(%y[])
    init 0 : i32 : memref<9xi32>, memref<i32>, memref<i32> (%a: i32, %acc: i32) {
      %s = arith.maxsi %acc, %a : i32
      te.yield %s : i32
    } epilogue (%r: i32, %d: i32) {
      %t = arith.addi %r, %d : i32
      te.yield %t : i32
    }
  te.compute axes(reduce k: 9) ins(%x[k]) extras(%b[]) out(%y[])
    init 5 : i32 : memref<9xi32>, memref<i32>, memref<i32> (%a: i32, %acc: i32) {
      %s = arith.addi %acc, %a : i32
      te.yield %s : i32
    } epilogue (%r: i32, %d: i32) {
      %t = arith.addi %r, %d : i32
      te.yield %t : i32
    }
  func.return
}
